"""The lab: real Debian 13 machines on one Linux computer, to rehearse and to test."""
