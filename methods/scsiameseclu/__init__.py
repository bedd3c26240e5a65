"""scSiameseClu: Siamese fusion of an autoencoder and a graph autoencoder, with transport-based clustering."""
