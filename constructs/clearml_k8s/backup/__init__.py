"""Backups of what the servers keep, and the Jobs that restore them.

Redis has none: it holds sessions, locks and which workers are alive, all of which come back by
themselves.
"""
