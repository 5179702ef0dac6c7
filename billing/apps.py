from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import audit, papers  # noqa: PLC0415  models must be loaded first

        audit.register()
        papers.register()
