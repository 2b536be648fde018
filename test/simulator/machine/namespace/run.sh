# PID 1 of a container, in process and mount namespaces of its own inside what hold.sh built: moves into the container's
# root, says so on file descriptor 3, and becomes the command, whose
# complaints come in order with what else it says. The first argument is the directory with the root.
set -eu
cd "$1/top"
shift
mount -t proc proc proc
mount -o bind,ro proc/sys proc/sys 2>/dev/null || :
mount --bind dev/null proc/sysrq-trigger 2>/dev/null || :
mkdir -p .host
pivot_root . .host
cd /
umount -l /.host
rmdir /.host
echo up >&3
exec "$@" 3>&- 2>&1
