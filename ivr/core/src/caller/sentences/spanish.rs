//! Spanish, for pages.

use super::{Advice, Cap, Language, Level};

pub(super) const SPANISH: Language = Language { tag: "es", advice, cap, level };

fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::OddWay => {
            "Llegó una llamada por un camino que este servicio no acepta. Marque el número indicado con un teléfono corriente."
        }
        Advice::NotSaid => {
            "Su compañía telefónica no dijo qué número llama. Llame desde otra línea, o pida que se muestre su número."
        }
        Advice::NotVouched => {
            "Su compañía telefónica no responde de su número en esta llamada. Llame desde otra línea o por otra compañía."
        }
        Advice::Forwarded => {
            "La llamada fue desviada o transferida. Desactive el desvío y marque usted mismo el número indicado."
        }
        Advice::NotNow => "El servicio no pudo atender su llamada en este momento. Espere un minuto y vuelva a llamar.",
        Advice::Busy => "Hay demasiadas llamadas en este momento. Espere un minuto y vuelva a llamar.",
        Advice::NotSpoken => "No se puede aceptar la conexión de su teléfono. Llame desde otro teléfono u otra línea.",
        Advice::OtherNumber => "La llamada era para otro número. Marque el número indicado.",
        Advice::NumbersDiffer => "Su línea muestra un número que no es el suyo. Desactive eso y vuelva a llamar.",
        Advice::Withheld => {
            "Su número está oculto. Marque *31# (en la mayoría de las redes móviles; *82 en Norteamérica) antes del número, o active la identificación de llamada en los ajustes del teléfono."
        }
        Advice::Extension => "Las extensiones de una centralita no se pueden verificar. Llame desde una línea propia.",
        Advice::SharedLine => {
            "Los teléfonos públicos y las líneas compartidas no se pueden verificar. Llame desde su propia línea."
        }
        Advice::Incomplete => "El número que llegó no es un número de teléfono completo. Llame desde otra línea.",
        Advice::ServiceNumber => {
            "Los números gratuitos, de tarificación especial y de otros servicios no se pueden verificar. Llame desde una línea fija o móvil."
        }
        Advice::NumberBusy => "Hay otras llamadas en curso desde su número. Termínelas y vuelva a llamar.",
        Advice::CodesUsedUp => {
            "Hoy se han marcado demasiados códigos incorrectos desde su número. Inténtelo de nuevo mañana."
        }
        Advice::CallsUsedUp => {
            "Hoy terminaron demasiadas llamadas de su número sin el código. Inténtelo de nuevo mañana."
        }
        Advice::NotExpected => {
            "Llegó una llamada de su número cuando nadie la esperaba. Vuelva a llamar mientras esta página muestre un código."
        }
        Advice::Cancelled => "La llamada terminó antes de ser atendida. Vuelva a llamar y deje que suene.",
    }
}

fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::SharedAddresses => "El camino por el que llegó su llamada no se distingue del de otras.",
        Cap::Unscreened => "La compañía que trajo su llamada no comprueba los números de quienes llaman.",
        Cap::Foreign => "No consta que la compañía que trajo su llamada sea del país de su número.",
        Cap::Diversion => "La compañía que trajo su llamada no dice si las llamadas fueron desviadas.",
        Cap::Privacy => "Su llamada pidió que se ocultara su camino.",
        Cap::Attestation => "Su compañía telefónica no certifica del todo que el número sea suyo.",
        Cap::TrunkLimit => "No se confía más en las llamadas que llegan por este camino.",
        Cap::Unattested => "Con su llamada no llegó ninguna firma de su compañía telefónica (STIR/SHAKEN, nivel A).",
        Cap::NoReturnPath => "No se devolvió la llamada a su número.",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::L0 => "Se demostró un buzón de correo, no un número de teléfono.",
        Level::L1 => {
            "Alguien llamó desde este número, o lo hizo parecer: nadie responde de que el número mostrado no fuera falso."
        }
        Level::L2 => {
            "La llamada llegó por una compañía del mismo país que comprueba por contrato qué números muestran sus clientes."
        }
        Level::L3 => {
            "Como L2, y la red certificó con una firma que quien llama puede usar el número (STIR/SHAKEN, nivel A)."
        }
        Level::L4 => "Como L2 o L3, y se devolvió la llamada al número.",
    }
}
