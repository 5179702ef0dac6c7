from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "worker"

    def ready(self) -> None:
        from worker import checks, dispatching, preflight, presence  # noqa: PLC0415  models must be loaded first

        preflight.register_check(checks.broker_keeps_messages)
        preflight.register_check(checks.clock_agrees_with_database)
        dispatching.register_sweep(presence.forget_the_gone)
