//! The second port: for the operator and the orchestrator, never for the public.
