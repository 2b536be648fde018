# Builds a container's root in a mount namespace of its own, then becomes the process that holds it.
# Everything is mounted in here, so that nothing is left when this process is gone, however it goes.
#
# Expects: BASE (an empty directory), SEED (what the image adds), SIZE (bytes of container disk), BUSYBOX (path or empty),
# OVERLAY (more options), VOLUME, MOUNT, QUOTA (may be empty), HIDE (newline-separated), PYTHON (a prefix, may be empty),
# POD_HOSTNAME; the arguments are what holds it.
set -eu
umask 022
mount -t tmpfs -o "size=$SIZE,mode=755" tmpfs "$BASE"
cd "$BASE"
cp -a "$SEED/." .
mkdir -p top own/log own/tmp own/empty
mount --bind top top
cd top
mkdir -p proc sys dev/pts dev/shm tmp run root home mnt media srv boot
chmod 700 root
chmod 1777 tmp ../own/tmp
cd ..

# Lays a directory of the container over the machine's: overlay NAME PATH-IN-CONTAINER MACHINE'S-DIRECTORY
overlay() {
  mkdir -p "layer/$1" "work/$1" "top/$2"
  mount -t overlay overlay -o "lowerdir=$3,upperdir=layer/$1,workdir=work/$1$OVERLAY" "top/$2"
}

if [ -n "$BUSYBOX" ]; then
  mkdir -p top/bin top/usr/bin top/usr/sbin top/var/empty
  for path in /usr/lib /usr/lib[0-9x]*; do
    [ ! -d "$path" ] || overlay "${path##*/}" "$path" "$path"
  done
  cp "$BUSYBOX" top/bin/busybox
  cp "$(command -v sshd)" "$(command -v ssh-keygen)" top/usr/sbin/
  skip=' bin sbin usr '
else
  overlay usr usr /usr
  # In a user namespace, a directory with something mounted below it cannot be laid under; these we can do without.
  overlay var var /var 2>/dev/null || mkdir -p top/var/lib top/var/cache top/var/log top/var/tmp
  mount --bind own/log top/var/log
  mount --bind own/tmp top/var/tmp
  [ ! -d /opt ] || overlay opt opt /opt 2>/dev/null || :
  skip=' usr '
fi
# Where /bin and its like are links into /usr, so they are here.
for path in /bin /sbin /lib /lib[0-9x]*; do
  name=${path#/}
  case "$skip" in *" $name "*) continue ;; esac
  if [ -L "$path" ]; then cp -P "$path" "top/$name"; elif [ -d "$path" ]; then overlay "$name" "$name" "$path"; fi
done
[ -z "$BUSYBOX" ] || chroot top /bin/busybox --install -s /bin

mkdir -p top/etc
if [ -n "$BUSYBOX" ] || ! overlay etc etc /etc 2>/dev/null; then
  [ -n "$BUSYBOX" ] || cp -a /etc top/ 2>/dev/null || :
  cp -a layer/etc/. top/etc/
fi
mkdir -p top/etc/ssh
mount --bind own/ssh top/etc/ssh
if [ -d top/etc/profile.d ]; then mount --bind own/empty top/etc/profile.d; fi
printf '%s' "$HIDE" | while IFS= read -r path; do
  case "$path" in
    /usr/* | /var/* | /opt/* | /etc/*) [ ! -d "top$path" ] || mount --bind own/empty "top$path" ;;
  esac
done
if [ -n "$PYTHON" ] && [ -z "$BUSYBOX" ]; then
  overlay python opt/python3 "$PYTHON"
  ln -sf /opt/python3/bin/python3 top/usr/local/bin/python3
fi

# A user namespace makes no devices; there the machine's are bound.
while read -r name major minor; do
  mknod -m 666 "top/dev/$name" c "$major" "$minor" 2>/dev/null || {
    : >"top/dev/$name"
    mount --bind "/dev/$name" "top/dev/$name"
  }
done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts top/dev/pts
mount -t tmpfs -o size=64m,mode=1777 tmpfs top/dev/shm
ln -s pts/ptmx top/dev/ptmx
ln -s /proc/self/fd top/dev/fd
ln -s fd/0 top/dev/stdin
ln -s fd/1 top/dev/stdout
ln -s fd/2 top/dev/stderr
mount -t sysfs -o ro sysfs top/sys 2>/dev/null || :

if [ -n "$MOUNT" ]; then
  mkdir -p "top$MOUNT"
  if [ -n "$QUOTA" ]; then
    # A file system that ends where the quota ends. What is there already stays, even above the quota.
    mkdir volume
    mount -t tmpfs -o mode=755 tmpfs volume
    mkdir volume/data
    cp -a "$VOLUME/." volume/data/
    used=$(df -B1 --output=used volume | tail -n 1)
    [ "$used" -le "$QUOTA" ] || QUOTA=$used
    mount -t tmpfs -o "remount,size=$QUOTA" tmpfs volume
    mount --bind volume/data "top$MOUNT"
  else
    mount --bind "$VOLUME" "top$MOUNT"
  fi
fi

hostname "$POD_HOSTNAME" 2>/dev/null || printf '%s' "$POD_HOSTNAME" >/proc/sys/kernel/hostname
ip link set lo up
# An unprivileged pod's sshd may have port 22 too: this is the pod's own network.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
exec "$@"
