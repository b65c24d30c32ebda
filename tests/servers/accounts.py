"""The environment of a user with a bucket at one of these servers and an endpoint at another."""

from tests.servers.bos import BosServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer


def account_environment(bos: BosServer, qianfan: QianfanServer, console_url: str = "") -> dict[str, str]:
    """Keys and addresses, as a user's environment has them; a console of its own when its address is given."""
    return {
        "BCE_ACCESS_KEY_ID": bos.access_key_id,
        "BCE_SECRET_ACCESS_KEY": bos.secret_access_key,
        "BOS_ENDPOINT": bos.endpoint,
        "QIANFAN_ACCESS_KEY": ACCESS_KEY,
        "QIANFAN_SECRET_KEY": SECRET_KEY,
        "QIANFAN_BASE_URL": qianfan.url,
        "QIANFAN_CONSOLE_API_BASE_URL": console_url or qianfan.url,
        "QIANFAN_IAM_BASE_URL": qianfan.url,
    }
