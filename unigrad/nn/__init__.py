"""What networks are made of."""

from unigrad.nn.activations import *
from unigrad.nn.activations import __all__ as _activations
from unigrad.nn.alignments import *
from unigrad.nn.alignments import __all__ as _alignments
from unigrad.nn.convolutions import *
from unigrad.nn.convolutions import __all__ as _convolutions
from unigrad.nn.layers import *
from unigrad.nn.layers import __all__ as _layers
from unigrad.nn.losses import *
from unigrad.nn.losses import __all__ as _losses
from unigrad.nn.normalisation import *
from unigrad.nn.normalisation import __all__ as _normalisation
from unigrad.nn.resampling import *
from unigrad.nn.resampling import __all__ as _resampling

__all__ = _activations + _alignments + _convolutions + _layers + _losses + _normalisation + _resampling
