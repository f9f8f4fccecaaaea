"""What `services.sample_logs` is made of: chance (when, how long, what fails), words (texts), world (models, prompts, people)."""
