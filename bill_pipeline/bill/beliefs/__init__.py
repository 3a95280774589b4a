"""What we believe about BILL without its word, and how to see whether it is so.

``table``         THE TABLE of beliefs
``observer``      what may be asked to see one, and how often
``of_lists``      how to see those about lists, pages, sessions and refusals
``of_times``      … about what moves updatedTime
``of_documents``  … about the contents of documents
``report``        all of them at once, in a report that can be shared
"""
