"""The names that methods share, each with its range and meaning: one name for one thing.

A method's field is declared by calling the term with its own default, as ``lr: float = vocabulary.lr(1e-4)``; it may
add to the meaning and narrow the range. A parameter that only one method has is declared by its range alone. This
module is read at start-up: it imports no array library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scbench.fields import Range, at_least, below_one, choice, not_negative, positive, share

__all__ = ["Term"]


@dataclass(frozen=True)
class Term:
    """One name of the vocabulary.

    Attributes:
        meaning: what it is, in every method that has it.
        range: the values that it may have.
    """

    meaning: str
    range: Range

    def __call__(
        self,
        default: Any,
        more: str = "",
        *,
        range: Range | None = None,
        stored_as: str | None = None,
        implies: Mapping[str, Any] | None = None,
        is_later: bool = False,
        earlier: Any = None,
        up_to: str | int | None = None,
        **variants: Any,
    ) -> Any:
        """Return a field of a dataclass.

        Args:
            default: of this method.
            more: what is to be said of it in this method.
            range: the values that this method takes, where it takes fewer.
            stored_as, implies, is_later, earlier, up_to, variants: as for ``scbench.fields.Range``.
        """
        meaning = f"{self.meaning}; {more}" if more else self.meaning
        declare = range or self.range
        return declare(
            default,
            meaning,
            stored_as=stored_as,
            implies=implies,
            is_later=is_later,
            earlier=earlier,
            up_to=up_to,
            **variants,
        )


# Genes and inputs.
n_top_genes = Term("genes that are kept, the most variable ones", at_least(1))
gene_selection = Term("how these genes are chosen", choice("hvg", "zero_rate", "seurat_hvg", "std"))
n_components = Term("principal components", at_least(1))

# Graphs.
n_neighbors = Term("nearest neighbours of each cell in the graph", at_least(1))
exact_neighbour_cells = Term("up to so many cells neighbours are searched for among all, in all features", at_least(1))
resolution = Term("resolution of the modularity", positive)

# Networks.
n_heads = Term("heads of the attention", at_least(1))
dropout = Term("share of units that dropout leaves out", below_one)
noise_std = Term("standard deviation of the noise on the input", not_negative)
exact_attention_cells = Term("up to so many cells the attention is over all of them", at_least(1))
n_landmarks = Term("random cells that stand for all others in the attention beyond exact_attention_cells", at_least(1))

# Losses.
likelihood = Term("of the counts", choice("nb", "zinb"))
temperature = Term("temperature of the contrastive loss; smaller is sharper", positive)
clustering_weight = Term("weight of the clustering loss", not_negative)
dof = Term("degrees of freedom of the Student-t memberships", positive)

# Training.
pretrain_epochs = Term("epochs of pre-training", at_least(0))
epochs = Term("epochs of the main training", at_least(0))
batch_size = Term("cells in a step, at most", at_least(1))
lr = Term("learning rate", positive)
tol = Term("the training has settled when at most this share of the labels changes", share)
n_init = Term("starts of k-means, of which the best is kept", at_least(1))
budget = Term(
    "epochs: paper runs those that are set; fast ends a phase once the last epochs no longer lower its loss",
    choice("paper", "fast"),
)
precision = Term(
    "of wide matrix products; auto: bfloat16 where the processor gains from it, float32 elsewhere",
    choice("auto", "float32", "bfloat16"),
)
