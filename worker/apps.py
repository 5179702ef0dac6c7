from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "worker"

    def ready(self) -> None:
        from worker import checks, health, metrics, preflight, presence  # noqa: PLC0415  models must be loaded first
        from worker.dispatching import register_sweep  # noqa: PLC0415

        preflight.register_check(checks.broker_keeps_messages, of_the_broker=True)
        preflight.register_check(checks.clock_agrees_with_database)
        register_sweep(presence.forget_the_gone)
        health.register_probe("database", health.database)
        health.register_probe("broker", health.broker_answers)
        health.register_probe("migrations", health.migrations)
        for reader in (
            metrics.read_queues,
            metrics.read_work,
            metrics.read_processes,
            metrics.read_dispatching,
        ):
            metrics.register_reader(reader)
