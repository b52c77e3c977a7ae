"""The networks that implicit models are compared with. Shapes: N samples, T steps, P values a step, M outputs."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Mlp(nn.Module):
    """Relu layers; without biases it is scale-equivariant, with a skip a linear map is added to its output."""

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, *, bias: bool = True, skip: bool = False):
        super().__init__()
        sizes = [inputs, *hidden, outputs]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.skip = nn.Linear(inputs, outputs, bias=False) if skip else None

    def forward(self, inputs_NF: Tensor) -> Tensor:
        """Shape (N, M)."""
        outputs_NM: Tensor = self.layers(inputs_NF)
        return outputs_NM if self.skip is None else outputs_NM + self.skip(inputs_NF)


class Lstm(nn.Module):
    """An LSTM read out after its last step.

    Scale-normalised: each series is divided by its largest absolute value before and, in a regression, the output
    multiplied by it after, which makes any network scale-equivariant.
    """

    def __init__(self, values: int, hidden: int, outputs: int, *, normalise: bool, rescale: bool):
        super().__init__()
        self.cells = nn.LSTM(values, hidden, batch_first=True)
        self.readout = nn.Linear(hidden, outputs)
        self._normalise, self._rescale = normalise, rescale

    def forward(self, series_NTP: Tensor) -> Tensor:
        """Shape (N, M)."""
        scale_N1 = series_NTP.abs().amax(dim=(1, 2), keepdim=True)[:, 0].clamp(min=1e-12)
        if self._normalise:
            series_NTP = series_NTP / scale_N1[:, None]
        outputs_NM: Tensor = self.readout(self.cells(series_NTP)[0][:, -1])
        return outputs_NM * scale_N1 if self._normalise and self._rescale else outputs_NM


class Transformer(nn.Module):
    """One encoder layer over the steps, with or without learnt positions; a linear map reads out all steps."""

    def __init__(self, steps: int, values: int, width: int, outputs: int, *, positions: bool):
        super().__init__()
        self.embed = nn.Linear(values, width)
        self.position_TW = nn.Parameter(0.1 * torch.randn(steps, width)) if positions else None
        self.layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
        self.readout = nn.Linear(steps * width, outputs)

    def forward(self, series_NTP: Tensor) -> Tensor:
        """Shape (N, M)."""
        token_NTW = self.embed(series_NTP)
        if self.position_TW is not None:
            token_NTW = token_NTW + self.position_TW
        outputs_NM: Tensor = self.readout(self.layer(token_NTW).flatten(1))
        return outputs_NM


class Nalu(nn.Module):
    """Two layers of neural arithmetic logic units (Trask et al. 2018, arXiv 1808.00508, section 3)."""

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.layers = nn.Sequential(_NaluLayer(inputs, hidden), _NaluLayer(hidden, outputs))

    def forward(self, inputs_NF: Tensor) -> Tensor:
        """Shape (N, M)."""
        outputs_NM: Tensor = self.layers(inputs_NF)
        return outputs_NM


class _NaluLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.signed_MF = nn.Parameter(0.5 * torch.randn(outputs, inputs))
        self.open_MF = nn.Parameter(0.5 * torch.randn(outputs, inputs))
        self.gate = nn.Linear(inputs, outputs, bias=False)

    def forward(self, inputs_NF: Tensor) -> Tensor:
        weight_MF = torch.tanh(self.signed_MF) * torch.sigmoid(self.open_MF)
        gate_NM = torch.sigmoid(self.gate(inputs_NF))
        # The exponent is bounded: a product of 50 large inputs doesn't fit a float.
        product_NM = torch.exp((torch.log(inputs_NF.abs() + 1e-7) @ weight_MF.T).clamp(max=20))
        return gate_NM * (inputs_NF @ weight_MF.T) + (1 - gate_NM) * product_NM
