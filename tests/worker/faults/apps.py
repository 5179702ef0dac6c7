from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "tests.worker.faults"
    label = "faults"

    def ready(self) -> None:
        from tests.worker.faults import kinds

        kinds.register()
