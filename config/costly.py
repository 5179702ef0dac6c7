"""Requests that cost much: they upload, make files, read everything, or send something."""

# By method; see COSTLY_PER_MINUTE.
VIEWS = {
    "POST": frozenset(
        {
            "accounts:invite",
            "accounts:upload_logo",
            "billing:challan_run",
            "billing:invoice_run",
            "billing:payment_run",
            "billing:recompute",
            "billing:return_run",
            "billing:statement_dry_run",
            "documents:batch_make_merged",
            "documents:batch_make_zip",
            "documents:mail_test",
            "documents:verify",
            "documents:webhook_test",
            "verify_paper",
        }
    ),
    "GET": frozenset(
        {
            "billing:balances_export",
            "billing:challan_export",
            "billing:invoice_export",
            "billing:party_export",
            "billing:payment_export",
            "billing:return_export",
            "documents:batch_merged",
            "documents:batch_zip",
            "verify_paper",
        }
    ),
}
