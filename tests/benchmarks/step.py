"""Is a training step within 1.1 times a bare loop? No timed test, since machines are noisy: run this file."""

from genkit.bench import run

if __name__ == "__main__":
    found = run("step")
    print(found)
    raise SystemExit(max(value for name, value in found.items() if name.endswith("ratio to bare loop")) > 1.1)
