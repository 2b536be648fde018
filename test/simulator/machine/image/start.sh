#!@SHELL@
# What RunPod's own images run as PID 1: the same steps, in the same order, saying the same things.
set -e

service nginx start

if [ -f /pre_start.sh ]; then
  echo "Running pre-start script..."
  @SHELL@ /pre_start.sh
fi

echo "Pod Started"

# A container's host keys are its own. They were made beforehand only because making an RSA key can take a second.
new_host_key() {
  file=/etc/ssh/ssh_host_$1_key
  [ -f "$file" ] && return
  if [ -f "/usr/libexec/pod/host-keys/$1" ]; then
    mv "/usr/libexec/pod/host-keys/$1" "$file"
    mv "/usr/libexec/pod/host-keys/$1.pub" "$file.pub"
  else
    ssh-keygen -t "$1" -f "$file" -q -N ''
  fi
  [ -n "@FINGERPRINTS@" ] || return 0
  echo "$2 key fingerprint:"
  ssh-keygen -lf "$file.pub"
}

if [ -n "$PUBLIC_KEY" ]; then
  echo "Setting up SSH..."
  mkdir -p ~/.ssh
  echo "$PUBLIC_KEY" >>~/.ssh/authorized_keys
  chmod -R 700 ~/.ssh
  new_host_key rsa RSA
  new_host_key ecdsa ECDSA
  new_host_key ed25519 ED25519
  service ssh start
  if [ -n "@FINGERPRINTS@" ]; then
    echo "SSH host keys:"
    for key in /etc/ssh/*.pub; do
      echo "Key: $key"
      ssh-keygen -lf "$key"
    done
  fi
fi

awk -v lines=@CHATTER@ 'BEGIN { for (i = 1; i <= lines; i++) printf "[startup] checking component %d of %d: ok\n", i, lines }'

if [ -n "$JUPYTER_PASSWORD" ]; then
  echo "Starting Jupyter Lab..."
  mkdir -p /workspace
  echo "Jupyter Lab started"
fi

echo "Exporting environment variables..."
# As the original does: line by line, nothing escaped.
env | grep -E '^[A-Z_][A-Z0-9_]*=' | grep -v '^PUBLIC_KEY=' |
  awk '{ name = $0; sub(/=.*/, "", name); sub(/^[^=]*=/, ""); print "export " name "=\"" $0 "\"" }' >/etc/rp_environment
grep -q 'source /etc/rp_environment' ~/.bashrc 2>/dev/null || echo 'source /etc/rp_environment' >>~/.bashrc

echo "Start script(s) finished, Pod is ready to use."

if [ -f /post_start.sh ]; then
  echo "Running post-start script..."
  @SHELL@ /post_start.sh
fi

sleep infinity
