"""What a person can do when the machine has no more of something: the same advice wherever a step was refused."""

import errno

_REMEDIES = {
    errno.EMFILE: "Raise the limit of this shell: ulimit -n 1024",
    errno.ENFILE: "End other programs, or raise the system's limit: sysctl fs.file-max",
    errno.ENOMEM: "End other programs.",
    errno.ENOSPC: "Free at least 16 MB.",
    errno.EDQUOT: "Free some of your share of the disk.",
    errno.EROFS: "Set OBRA_DATA_DIR, or data_dir in your settings, to a folder that can be written.",
}


def advice(error: OSError) -> str:
    """Return what helps; empty when it is no want of the machine's."""
    return _REMEDIES.get(error.errno or 0, "")
