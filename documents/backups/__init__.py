"""Backups: everything that can't be made again, in a folder of plain files, and back.

The database first, at one moment; then the files that its rows name, which never change. A backup
without its manifest, which is written last, is none.
"""
