"""People at work: how many at once until pages become slow, what bounds it, and what leaks.

    python -m bench.load          rising numbers of people, until p95 of pages passes 500 ms
    python -m bench.load.soak     the same work, evenly, for a long time

stack     PostgreSQL, broker and every process of the product, as docker-compose.yml starts them
books     what they find, and afterwards: is everything there that they entered and asked for?
people    what they do, in a process of their own
browser   requests, cookies, forms, and how long each answer took
watching  what processes and database do meanwhile
figures   percentiles, steps, the knee, what bounds it
"""
