"""Control: principal components and k-means."""
