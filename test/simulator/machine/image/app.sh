#!@SHELL@
# An image made for one program, with nothing around it.
echo "Listening on 0.0.0.0:8000"
sleep infinity
