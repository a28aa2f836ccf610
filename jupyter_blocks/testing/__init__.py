"""What executors are proven with: the contract every backend's tests inherit. Needs pytest."""
