"""Serving. Importing the package imports the flows' first, which prepares the environment for Prefect."""

import flows as flows
