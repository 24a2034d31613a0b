"""What networks are made of."""

from unigrad.nn.activations import *
from unigrad.nn.activations import __all__ as _activations
from unigrad.nn.convolutions import *
from unigrad.nn.convolutions import __all__ as _convolutions
from unigrad.nn.layers import *
from unigrad.nn.layers import __all__ as _layers
from unigrad.nn.losses import *
from unigrad.nn.losses import __all__ as _losses
from unigrad.nn.normalisation import *
from unigrad.nn.normalisation import __all__ as _normalisation

__all__ = _activations + _convolutions + _layers + _losses + _normalisation
