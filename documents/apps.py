from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "documents"

    def ready(self) -> None:
        from documents import checks, metrics, rendering  # noqa: PLC0415  models must be loaded first
        from documents.backups import checking  # noqa: PLC0415
        from documents.services.batches import close_finished_batches  # noqa: PLC0415
        from documents.services.outcomes import announce_finished  # noqa: PLC0415
        from documents.services.releasing import release_overdue  # noqa: PLC0415
        from documents.services.tallies import advance_tallies  # noqa: PLC0415
        from worker import dispatching, health, preflight  # noqa: PLC0415
        from worker.metrics import register_reader  # noqa: PLC0415

        preflight.register_check(checks.archive_is_writable)
        preflight.register_check(checks.fonts_are_there)
        preflight.register_preload(rendering.preload)
        preflight.register_warm_up(rendering.warm_up)
        # After it: the bound is what a paper may take beyond what a warm child holds.
        preflight.register_warm_up(rendering.bound_memory)
        dispatching.register_sweep(close_finished_batches)
        dispatching.register_sweep(announce_finished)
        dispatching.register_sweep(release_overdue)
        dispatching.register_sweep(advance_tallies)
        health.register_probe("archive", checks.archive_answers)
        for reader in (
            metrics.read_papers,
            metrics.read_deliveries,
            metrics.read_archive,
            metrics.read_canaries,
        ):
            register_reader(reader)
        checking.register_check("stored files", checking.stored_files)
