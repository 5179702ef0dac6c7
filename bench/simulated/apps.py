from django.apps import AppConfig


class SimulatedConfig(AppConfig):
    name = "bench.simulated"
    label = "simulated"

    def ready(self) -> None:
        from bench.simulated import rendering

        rendering.take_over()
