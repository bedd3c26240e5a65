"""The run machinery: plan, engine, worker, store."""
