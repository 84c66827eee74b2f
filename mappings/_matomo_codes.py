"""What Matomo's tables hold in place of words: codes, numbers, and bytes, each as its Live API shows it.

Codes are device-detector's (`Parser/OperatingSystem.php`, `Parser/Client/Browser.php` and
`Parser/Device/AbstractDeviceParser.php` of github.com/matomo-org/device-detector, read 2026-11-29). Those that
`values.system` and `values.browser` know themselves (WIN, CH, …) are not listed; what nobody lists stays as it is.
"""

import re
from html import unescape
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import polars as pl

from migrate.kit import expr

_LISTED: Final = re.compile(r"\s*(\S+) ([^,]+),?")


def _codes(text: str) -> dict[str, str]:
    """Return codes by name, of a text `CODE Name, CODE Name`."""
    return dict(_LISTED.findall(text))


SYSTEMS: Final = _codes("""
AIX AIX, ALP Alpine Linux, AMZ Amazon Linux, AMG AmigaOS, ARM Armadillo OS, ARL Arch Linux, AOS AOSC OS, ASP ASPLinux,
BTR BackTrack, SBA Bada, BYI Baidu Yi, BEO BeOS, BOS Bliss OS, BMP Brew, BSN BrightSignOS, CAI Caixa Mágica,
CST CentOS Stream, CLO Clear Linux OS, CLR ClearOS Mobile, CHN China OS, CYN CyanogenMod, DEE Deepin, DFB DragonFly,
DVK DVKBuntu, ELE ElectroBSD, EUL EulerOS, FEN Fenix, FOS Firefox OS, FOR Foresight Linux, FRE Freebox, BSD FreeBSD,
FRI FRITZ!OS, FYD FydeOS, FUC Fuchsia, GNT Gentoo, GEO GEOS, GRI GridOS, GTV Google TV, HPX HP-UX, HAI Haiku OS,
HAR HarmonyOS, HAS HasCodingOS, HEL HELIX OS, IRI IRIX, INF Inferno, JME Java ME, KOS KaiOS, KAL Kali, KAN Kanotix,
KNO Knoppix, KTV KreaTV, LND LindowsOS, LNS Linspire, LEN Lineage OS, LIR Liri OS, LOO Loongnix, LOS Lumin OS,
LUN LuneOS, VLN VectorLinux, MAE Maemo, MAG Mageia, MDR Mandriva, SMG MeeGo, MCD MocorDroid, MON moonOS,
EZX Motorola EZX, MLD MildWild, MOR MorphOS, NBS NetBSD, MTK MTK / Nucleus, MRE MRE, NOV Nova, OS2 OS/2, T64 OSF1,
OBS OpenBSD, OVZ OpenVZ, OWR OpenWrt, OTV Opera TV, ORA Oracle Linux, ORD Ordissimo, PAR Pardus, PCL PCLinuxOS,
PIC PICO OS, PLA Plasma Mobile, PSP PlayStation Portable, PVE Proxmox VE, PUR PureOS, PIO Raspberry Pi OS,
RST Red Star, RED RedOS, REV Revenge OS, ROS RISC OS, ROC Rocky Linux, ROK Roku OS, RSO Rosa, ROU RouterOS,
REM Remix OS, RRS Resurrection Remix OS, REX REX, RZD RazoDroiD, SAB Sabayon, SAF Sailfish OS, SCI Scientific Linux,
SEE SeewoOS, SER SerenityOS, SIR Sirin OS, SLW Slackware, SOS Solaris, SYL Syllable, SYM Symbian, SYS Symbian OS,
S40 Symbian OS Series 40, S60 Symbian OS Series 60, SY3 Symbian^3, TEN TencentOS, TDX ThreadX, TIZ Tizen, TIV TiVo OS,
TOS TmaxOS, UOS UOS, VID VIDAA, WTV WebTV, WHS Whale OS, WIO Windows IoT, YNS YunOS, ZEN Zenwalk, ZOR ZorinOS,
POS palmOS, WEB Webian, WOS webOS""")
BROWSERS: Final = _codes("""
AR Arora, AS Avast Secure Browser, VG AVG Secure Browser, BD Baidu Browser, BS Baidu Spark, BI Basilisk, CA Camino,
CL CCleaner, CC Coc Coc, CD Comodo Dragon, CE CM Browser, CF Chrome Frame, CN CoolNovo, DF Dolphin, DI Dillo,
EC Ecosia, EI Epic, EP GNOME Web, FA Falkon, FB Firebird, FE Fennec, FK Firefox Focus, FY Firefox Reality,
FR Firefox Rocket, FL Flock, GA Galeon, GE Google Earth, HU Huawei Browser, IC iCab, I1 Iridium, I4 IceCat,
ID IceDragon, IW Iceweasel, IR Iron, JO Jio Browser, KI Kindle Browser, KM K-meleon, KW Kiwi, LG LG Browser, LI Links,
LX Lynx, MZ Meizu Browser, ME Mercury, MI Midori, MU MIUI Browser, MS Mobile Silk, MT Mint Browser, MX Maxthon,
NB Nokia Browser, NV Nokia Ovi Browser, NF NetFront, NS Netscape, O1 Opera Mini iOS, OB Obigo, OG Opera Neon,
OH Opera Devices, ON Opera Next, OV Openwave Mobile Browser, OW OmniWeb, PP Oppo Browser, PU Puffin, PX Phoenix,
PB Phoenix Browser, PO Polaris, Q2 QQ Browser Lite, Q1 QQ Browser Mini, QQ QQ Browser, QT Qutebrowser, QU Quark,
QM Qwant Mobile, QW QtWebEngine, RE Realme Browser, RK Rekonq, RM RockMelt, SA Sailfish Browser, SC SEMC-Browser,
SE Sogou Explorer, S5 Safe Exam Browser, SK Skyfire, SL Sleipnir, SO Sogou Mobile Browser, SI Sputnik Browser,
SZ Seznam Browser, TZ Tizen Browser, UH UC Browser HD, UM UC Browser Mini, UT UC Browser Turbo, UR UR Browser,
VV vivo Browser, WE WebPositive, WO wOSBrowser, YJ Yahoo! Japan Browser, YL Yandex Browser Lite""")
DEVICES: Final = dict(
    enumerate(
        (
            *("desktop", "smartphone", "tablet", "feature phone", "console", "tv", "car browser"),
            *("smart display", "camera", "portable media player", "phablet", "smart speaker", "wearable"),
            "peripheral",
        )
    )
)
BRANDS: Final = _codes("""
AC Acer, AL Alcatel, AM Amazon, AP Apple, AR Archos, AU Asus, BB BlackBerry, BQ BQ, BL Beko, DE Denver, FP Fairphone,
GO Google, HT HTC, HU Huawei, LE Lenovo, LG LG, MR Motorola, MS Microsoft, NI Nintendo, NO Nokia, ON OnePlus,
OP OPPO, PH Philips, PA Panasonic, RM RIM, SA Samsung, SE Sony Ericsson, SH Sharp, SO Sony, TO Toshiba, VI Vivo,
WI Wiko, XI Xiaomi, ZT ZTE""")
"""What Matomo 3 and older held for a brand; newer ones hold its name."""
KINDS: Final = {"1": "action", "2": "outlink", "3": "download", "4": "action", "8": "search", "10": "event"}
"""Types of what an action is (`log_action.type`), as the Live API calls them; all others it gives as they are."""
REFERRERS: Final = {"1": "direct", "2": "search", "3": "website", "6": "campaign", "7": "social"}
VISITORS: Final = {"0": "new", "1": "returning", "2": "returningCustomer"}
BUYERS: Final = {"0": "none", "1": "ordered", "2": "abandonedCart", "3": "orderedThenAbandonedCart"}
PREFIXES: Final = {"0": "http://", "1": "http://www.", "2": "https://", "3": "https://www."}
_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)\Z")
_LOST: Final = "\ufffd"
_BYTES: Final = 8
_ADDRESSES: Final = (4, 16)


def coded(code: pl.Expr, names: dict[str, str]) -> pl.Expr:
    """Return what a code stands for; one that is not listed as it is."""
    return pl.coalesce(only(code, names), expr.stripped(code))


def only(code: pl.Expr, names: dict[str, str]) -> pl.Expr:
    """Return what a code stands for, null where it is not listed."""
    return expr.stripped(code).replace_strict(names, default=None, return_dtype=pl.String)


def device(number: pl.Expr) -> pl.Expr:
    """Return what a kind of device is called, of its number."""
    return only(number, {str(place): name for place, name in DEVICES.items()})


def identifier(text: pl.Expr) -> pl.Expr:
    """Return an id of eight bytes as the Live API has it: sixteen digits of base 16, in lower case.

    It is read as such digits, with `0x` before them or not, and as eight characters that are bytes read as Latin-1, as
    some programs write them. What is anything else is as it stands; null where bytes were lost on the way.
    """
    return expr.each(text, _identifier)


def address(text: pl.Expr) -> pl.Expr:
    """Return an IP address of its bytes, written as those of an id are, or of the address itself; null of all else."""
    return expr.each(text, _address)


def unescaped(text: pl.Expr) -> pl.Expr:
    """Return an address without `&amp;`, as which Matomo stores `&`."""
    return pl.when(text.str.contains("&", literal=True)).then(expr.each(text, unescape)).otherwise(text)


def _raw(text: str) -> bytes | None:
    """Return the bytes that characters are; None where one of them is none.

    What databases call Latin-1 is Windows' in truth, but for five bytes that Windows has no character for.
    """
    try:
        return b"".join(one.encode("latin-1" if ord(one) < 256 else "cp1252") for one in text)  # noqa: PLR2004
    except UnicodeEncodeError:
        return None


def _identifier(text: str) -> str | None:
    digits = _HEX.match(text.strip())
    if digits is not None and len(digits[1]) == 2 * _BYTES:
        return digits[1].lower()
    if _LOST in text:
        return None
    raw = _raw(text) if len(text) == _BYTES else None
    return (text.strip() or None) if raw is None else raw.hex()


def _address(text: str) -> str | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        digits = _HEX.match(text.strip())
        is_hex = digits is not None and len(digits[1]) in {2 * one for one in _ADDRESSES}
        raw = bytes.fromhex(digits[1]) if digits is not None and is_hex else _raw(text)
        if raw is None or len(raw) not in _ADDRESSES:
            return None
        found = IPv4Address(raw) if len(raw) == _ADDRESSES[0] else IPv6Address(raw)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
