# make book · make test: the two commands to remember. `make help` lists the others.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
RUN := $(BIN)/python -m
export PYTHONUNBUFFERED := 1

.PHONY: help book test lab preview solutions pdf repository clean help

book: .venv/ready  ## execute the chapters that changed, build the book; CHAPTER=models/vae for one
	$(RUN) tools.book build $(CHAPTER)

test: .venv/ready  ## everything: style, units, chapters, pages
	$(RUN) tools.test

lab: .venv/ready  ## open JupyterLab
	$(RUN) jupyter lab notebooks

preview: .venv/ready  ## build the book without executing
	$(RUN) tools.book preview

solutions: .venv/ready  ## the instructor's copy of every notebook, run once
	$(RUN) tools.book solutions

pdf: .venv/ready  ## the book as a PDF, where there is a Chromium
	$(RUN) tools.book pdf

repository: .venv/ready  ## URL=https://… : write the repository's address wherever it is needed
	$(RUN) tools.book repository "$(URL)"

clean:  ## remove what was built
	rm -rf _build solutions .pytest_cache .ruff_cache .hypothesis

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

# the environment is made anew when the pinned versions or the package's own needs change
.venv/ready: constraints.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[book,test,lab,bench]"
	touch .venv/ready
