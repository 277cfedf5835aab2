"""The relay against real mail servers on loopback, kind and unkind."""
