# SPDX-License-Identifier: Apache-2.0
"""Training of networks whose layers choose their bit widths per input, and their export to the native format.

quantizers  one file each: what the integers are, and the gradients through them
network     any-precision convolutions, switchable normalization
controller  the linear map that decides, and its Gumbel-softmax
loop        training: all widths together, then with the controller
export      a trained network as integers
stated      one layer of any quantizers as integers
native      the .bitemu file: writer and reader
integer     computes such a file exactly, in int64
report      accuracy and cost by policy
"""
