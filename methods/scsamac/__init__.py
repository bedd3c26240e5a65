"""scSAMAC: saliency-adjusted masking, attention between cells, contrastive learning."""
