"""Everything real but the rendering, which is a sleep of `BENCH_RENDER_SECONDS`."""
