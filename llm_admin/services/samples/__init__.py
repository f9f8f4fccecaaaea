"""What `services.sample_logs` is made of."""
