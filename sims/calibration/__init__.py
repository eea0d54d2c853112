"""A studio's own telemetry becomes synthetic players who win and quit like its real ones."""
