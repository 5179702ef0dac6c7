from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import audit, keeping, papers  # noqa: PLC0415  models must be loaded first
        from billing.services.recomputing import close_finished_recomputations  # noqa: PLC0415
        from worker import dispatching  # noqa: PLC0415

        audit.register()
        papers.register()
        dispatching.register_sweep(close_finished_recomputations)
        keeping.register()
