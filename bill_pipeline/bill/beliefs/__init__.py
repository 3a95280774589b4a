"""What we assume of BILL and BILL does not document, and how to check it.

``table``         THE TABLE of beliefs
``observer``      what may be asked to see one, and how often
``of_lists``      how to see those about lists, pages, sessions and refusals
``of_times``      … about what moves updatedTime
``of_documents``  … about the contents of documents
``report``        all of them at once, in a report that can be shared
"""
