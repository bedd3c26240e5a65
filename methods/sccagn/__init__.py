"""scCAGN: an autoencoder and a graph network, joined by attention between cells, pulled towards one target."""
