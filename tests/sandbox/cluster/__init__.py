"""A stand-in for the Kubernetes API: the real protocol, the platform's objects, no cluster.

Written on aiohttp: kmock 0.8 has no WebSocket exec, logs, selectors, paging, Status bodies or TLS.

How it holds together, from the outside in:

    server, gate        HTTPS, bearer tokens, roles, which path means what
    reading, tables     get, list in pages, watch, the Table form that kubectl prints
    execution, logs     pods/exec over WebSocket under bubblewrap, pods/log from the pods' log files
    usage, prometheus   metrics.k8s.io and the plain-text metrics, from one model of the load
    control, faults     the second, plain-http port: switches for trouble, synthetic pods
    store               what is served: every object as ready JSON bytes with a resource version
    world, controllers  what exists: objects as dictionaries, and what follows from them

A change (today: a fault) alters a copy of the world, the controllers derive what follows, and
`Cluster.publish` moves the difference into the store. Taking a fault back is deriving the world without it.
"""
