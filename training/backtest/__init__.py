"""Repeat the training at past moments, and judge each model on what came after its moment."""
