from django.apps import AppConfig


class UpcomingConfig(AppConfig):
    name = "tests.deploy.upcoming"
    label = "upcoming"
