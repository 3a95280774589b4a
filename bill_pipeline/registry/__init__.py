"""Connected clients: how to reach them, their secrets and files, how they are doing."""
