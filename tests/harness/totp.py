"""An authenticator app: codes of RFC 6238, by the standard library alone."""

import base64
import hashlib
import hmac
import struct
import time

from .principals import fresh


def code(seed, step):
    """The six digits of one step of 30 seconds."""
    digest = hmac.new(seed, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


class Device:
    """A virtual device as its app knows it. Each code that it gives is of a later step than the one before, so none comes twice."""

    def __init__(self, serial, seed, ahead=0):
        self.serial, self.seed, self.ahead, self.given = serial, seed, ahead, 0

    @classmethod
    def made(cls, iam, name=None, **parameters):
        """One that CreateVirtualMFADevice made."""
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name or fresh("device"), **parameters)["VirtualMFADevice"]
        return cls(device["SerialNumber"], base64.b32decode(device["Base32StringSeed"]))

    @property
    def step(self):
        return int(time.time()) // 30 + self.ahead

    def at(self, away=0):
        """The code of the step that many after the present one."""
        return code(self.seed, self.step + away)

    def code(self):
        """A code that was never given, of the earliest step that is still accepted; waits where all of those were."""
        while max(self.given + 1, self.step - 1) > self.step + 1:
            time.sleep(0.2)
        self.given = max(self.given + 1, self.step - 1)
        return code(self.seed, self.given)

    def wrong(self):
        """A code of no step near."""
        near = {self.at(away) for away in range(-3, 4)}
        return next(text for text in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777") if text not in near)

    def pair(self):
        """Two consecutive codes. They leave one more that is accepted at once."""
        while time.time() % 30 > 29:  # The earlier one must not grow too old on its way.
            time.sleep(0.1)
        return self.code(), self.code()

    def enable(self, iam, user):
        """Makes it a user's, or root's."""
        first, second = self.pair()
        iam.enable_mfa_device(UserName=user, SerialNumber=self.serial, AuthenticationCode1=first, AuthenticationCode2=second)
        return self

    def shown(self):
        """The parameters that show it to STS."""
        return {"SerialNumber": self.serial, "TokenCode": self.code()}


def device_of(account, user, **parameters):
    """A device that is enabled for a user."""
    return Device.made(account.iam, **parameters).enable(account.iam, user.name)
