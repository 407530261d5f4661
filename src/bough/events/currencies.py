"""ISO 4217: the currencies that an amount may name. Funds codes, metals and test codes are left out on purpose:
nobody is paid in them. Old codes that have been replaced stay while imports may still carry them."""

from __future__ import annotations


def _codes(written: str) -> frozenset[str]:
    return frozenset(written.split())


CURRENT: frozenset[str] = _codes(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """
)

REPLACED: frozenset[str] = _codes("ANG BGN BYR CUC HRK LTL LVL EEK MRO SLL STD VEF ZMK ZWL")
"""Out of use since about 2010 or later."""

CURRENCIES: frozenset[str] = CURRENT | REPLACED
