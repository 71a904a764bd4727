"""What the objects of a Kubernetes cluster say about its health.

`facts` turns API objects into small records, page by page; the other modules measure them.
"""
