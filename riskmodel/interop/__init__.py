"""Models of this package in other people's optimisers and pipelines: one module for each package.

A module is imported when it is asked for, as ``from riskmodel.interop import skfolio``, and needs the extra of its
name.
"""
