"""Tests of the stations that stand between the store and the world."""
