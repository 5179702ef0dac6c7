"""Which invoices billed a challan, void ones too; until now only the present one was kept."""

from itertools import islice

from django.db import migrations, models


def note_present(apps, schema_editor):
    challan = apps.get_model("billing", "Challan")
    link = challan.billed_by.through
    rows = challan._base_manager.using(schema_editor.connection.alias).exclude(invoice=None)
    pairs = rows.values_list("pk", "invoice_id").iterator(chunk_size=2000)
    links = (link(challan_id=pk, invoice_id=invoice) for pk, invoice in pairs)
    while some := list(islice(links, 2000)):
        link._base_manager.using(schema_editor.connection.alias).bulk_create(some)


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_claims_of_chunks_named")]

    operations = [
        migrations.AddField(
            model_name="challan",
            name="billed_by",
            field=models.ManyToManyField(
                blank=True,
                editable=False,
                help_text="All that ever billed it: deleted drafts and void ones too.",
                related_name="challans_ever",
                to="billing.invoice",
            ),
        ),
        migrations.RunPython(note_present, migrations.RunPython.noop),
    ]
