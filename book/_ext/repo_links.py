"""Repository, issue, Colab and Binder buttons, where the repository's address is known; otherwise no trace of them."""

from pathlib import Path

ADDRESS = Path(__file__).resolve().parent.parent / "repository.txt"


def address() -> str:
    """Return the repository's address, or nothing. ``make repository URL=…`` writes it."""
    return ADDRESS.read_text(encoding="utf-8").strip() if ADDRESS.exists() else ""


def configure(app, config):
    """Turn the theme's buttons on."""
    url = address()
    if url:
        config.html_theme_options.update(
            repository_url=url,
            repository_branch="main",
            path_to_docs="",
            use_repository_button=True,
            use_issues_button=True,
            use_edit_page_button=True,
            launch_buttons={
                "notebook_interface": "jupyterlab",
                "colab_url": "https://colab.research.google.com",
                "binderhub_url": "https://mybinder.org",
            },
        )


def setup(app):
    """Connect the step."""
    app.connect("config-inited", configure, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
