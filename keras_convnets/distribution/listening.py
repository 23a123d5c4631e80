"""A TensorFlow server kept to the address that was given to it."""

import ctypes
import ipaddress
import os
import socket
import struct
import sys

# linux/filter.h and asm-generic/socket.h
_SO_ATTACH_FILTER = 26
_NETWORK_HEADER = 0xFFF00000
_LOAD_BYTE, _LOAD_WORD, _AND, _IF_EQUAL, _RETURN = 0x30, 0x20, 0x54, 0x15, 0x06


def keep_to(address: str) -> bool:
    """Makes this process's server at an address deaf to what is sent to other addresses.

    TensorFlow's servers listen on all interfaces of a machine, whatever their address
    (grpc_server_lib.cc: "0.0.0.0"), and do what anyone asks, for gRPC has no authentication. So the
    kernel gets a filter for the socket, which drops all packets but those to the address.

    Args:
        address: `host:port` of this process's server, which runs.

    Returns:
        Whether it is done. It is for `localhost` and IPv4 addresses of this machine under Linux;
        behind other names may be any address.
    """
    host, _, port = address.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host
    if sys.platform != "linux" or not _is_own(host):
        return False
    listeners = _listeners(int(port))
    for listener in listeners:
        _attach(listener, int(ipaddress.IPv4Address(host)))
        listener.close()
    return bool(listeners)


def _is_own(host: str) -> bool:
    """Whether a host is an IPv4 address of this machine, not of one that forwards to it."""
    try:
        ipaddress.IPv4Address(host)
        with socket.socket() as probe:
            probe.bind((host, 0))
    except (ValueError, OSError):
        return False
    return True


def _listeners(port: int) -> list[socket.socket]:
    """Returns handles of this process's sockets that listen at a port."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            handle = socket.socket(fileno=os.dup(int(name)))
        except OSError:  # no socket, or closed meanwhile
            continue
        is_internet = handle.family in (socket.AF_INET, socket.AF_INET6)
        listens = is_internet and handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens and handle.getsockname()[1] == port:
            found.append(handle)
        else:
            handle.close()
    return found


def _attach(listener: socket.socket, host: int) -> None:
    """Lets only IPv4 packets to a host through; connections inherit it from their listener."""
    program = (  # operation, lines to skip if true, if false, operand
        (_LOAD_BYTE, 0, 0, _NETWORK_HEADER),
        (_AND, 0, 0, 0xF0),
        (_IF_EQUAL, 0, 3, 0x40),  # the version
        (_LOAD_WORD, 0, 0, _NETWORK_HEADER + 16),  # the destination
        (_IF_EQUAL, 0, 1, host),
        (_RETURN, 0, 0, 0xFFFFFFFF),
        (_RETURN, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    filter_ = struct.pack("HP", len(program), ctypes.addressof(code))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
