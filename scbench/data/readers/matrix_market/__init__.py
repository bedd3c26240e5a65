"""Matrix Market exports: a matrix and two files of names, as a dozen programs call and lay them out."""
